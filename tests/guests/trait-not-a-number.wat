;; A trait whose confidence is no number.
;; World: classifier-plugin
(data (i32.const 700) "text")
(func $misbehave (param i32)
  (i32.store (i32.const 276) (i32.const 1300))
  (i32.store (i32.const 280) (i32.const 1))
  (i32.store (i32.const 1300) (i32.const 700))
  (i32.store (i32.const 1304) (i32.const 4))
  (f32.store (i32.const 1308) (f32.const nan)))
