;; Its data lies outside its memory: instantiation traps.
(data (i32.const 131071) "xx")
