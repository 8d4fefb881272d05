;; Names a candidate that was not offered.
(func $misbehave (param i32) (i32.store (i32.const 512) (i32.const 999)))
