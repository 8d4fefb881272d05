;; A score that is no number, in a form that traps on some machines.
(func $misbehave (param i32) (i32.store (i32.const 516) (i32.const 0x7fa00000)))
