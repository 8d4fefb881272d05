;; A reason of 100,000 bytes, all of them in its memory.
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 0)) (i32.store (i32.const 280) (i32.const 100000)))
