;; A confidence under 0.
;; World: classifier-plugin
(func $misbehave (param i32) (f32.store (i32.const 268) (f32.const -0.1)))
