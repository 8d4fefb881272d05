;; A label of 65 letters.
;; World: classifier-plugin
(data (i32.const 700) "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 700)) (i32.store (i32.const 264) (i32.const 65)))
