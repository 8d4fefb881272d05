;; A part whose name clears the screen of who lists it.
(data (i32.const 700) "\1b[2Jcost")
(func $misbehave (param i32)
  (i32.store (i32.const 268) (i32.const 600))
  (i32.store (i32.const 272) (i32.const 1))
  (i32.store (i32.const 600) (i32.const 700))
  (i32.store (i32.const 604) (i32.const 8))
  (i32.store (i32.const 608) (i32.const 516))
  (i32.store (i32.const 612) (i32.const 1)))
