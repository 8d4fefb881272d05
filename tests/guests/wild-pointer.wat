;; A reason that lies outside its memory.
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const -64)) (i32.store (i32.const 280) (i32.const 60)))
