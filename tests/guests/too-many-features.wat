;; 65 features.
;; World: classifier-plugin
(func $misbehave (param i32) (i32.store (i32.const 284) (i32.const 1300)) (i32.store (i32.const 288) (i32.const 65)))
