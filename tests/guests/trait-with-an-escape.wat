;; A trait that paints a terminal.
;; World: classifier-plugin
(data (i32.const 700) "\1b]0;owned\07")
(func $misbehave (param i32)
  (i32.store (i32.const 276) (i32.const 1300))
  (i32.store (i32.const 280) (i32.const 1))
  (i32.store (i32.const 1300) (i32.const 700))
  (i32.store (i32.const 1304) (i32.const 10))
  (f32.store (i32.const 1308) (f32.const 0.5)))
