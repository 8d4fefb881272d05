;; `err`, but none of its three kinds.
(func $misbehave (param i32) (i32.store8 (i32.const 256) (i32.const 1)) (i32.store8 (i32.const 260) (i32.const 3)))
