;; The second place has the higher score.
(func $misbehave (param i32) (i32.store (i32.const 264) (i32.const 2)) (i32.store (i32.const 520) (i32.const 1)) (f32.store (i32.const 524) (f32.const 1)))
