;; World: hoarder
;; Asks what a handle stands for that nobody has given it.
(import "[export]test:guests/hoard" "[resource-rep]thing" (func $rep (param i32) (result i32)))
(func $misbehave (param i32) (drop (call $rep (i32.const 0x7fffffff))))
