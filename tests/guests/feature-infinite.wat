;; A feature that is infinite.
;; World: classifier-plugin
(func $misbehave (param i32) (f32.store (i32.const 1300) (f32.const inf)) (i32.store (i32.const 284) (i32.const 1300)) (i32.store (i32.const 288) (i32.const 1)))
