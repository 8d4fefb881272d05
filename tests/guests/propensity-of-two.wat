;; A chance of 2.
(func $misbehave (param i32) (f32.store (i32.const 284) (f32.const 2)))
