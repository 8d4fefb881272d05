;; An infinite score.
(func $misbehave (param i32) (f32.store (i32.const 516) (f32.const inf)))
