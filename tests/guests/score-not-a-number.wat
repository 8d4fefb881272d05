;; A score that is no number.
(func $misbehave (param i32) (f32.store (i32.const 516) (f32.const nan)))
