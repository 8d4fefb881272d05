;; Denies a request, which is not for a classifier to do.
;; World: classifier-plugin
(func $misbehave (param i32) (i32.store8 (i32.const 256) (i32.const 1)) (i32.store8 (i32.const 260) (i32.const 1)) (i32.store (i32.const 264) (i32.const 1200)) (i32.store (i32.const 268) (i32.const 7)))
