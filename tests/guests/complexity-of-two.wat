;; A complexity over 1.
;; World: classifier-plugin
(func $misbehave (param i32) (f32.store (i32.const 272) (f32.const 2)))
