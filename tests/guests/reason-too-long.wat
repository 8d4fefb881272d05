;; A reason of 257 bytes (zeros, which are valid text).
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 1300)) (i32.store (i32.const 280) (i32.const 257)))
