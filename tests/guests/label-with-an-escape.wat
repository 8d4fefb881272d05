;; A label that paints a terminal.
;; World: classifier-plugin
(data (i32.const 700) "\1b[31mxy")
(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 700)))
