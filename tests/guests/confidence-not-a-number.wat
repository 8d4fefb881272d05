;; A confidence that is no number.
;; World: classifier-plugin
(func $misbehave (param i32) (f32.store (i32.const 268) (f32.const nan)))
