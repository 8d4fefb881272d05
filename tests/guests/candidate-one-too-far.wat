;; Names the first candidate that was not offered.
(func $misbehave (param i32) (i32.store (i32.const 512) (i32.load offset=188 (local.get 0))))
