;; A label that would begin a new line in a log.
;; World: classifier-plugin
(data (i32.const 700) "a\0d\0ab: c")
(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 700)))
