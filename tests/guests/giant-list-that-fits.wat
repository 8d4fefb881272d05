;; A list of 15,000 places, all of them in its memory: more than the host takes from a guest in one call.
(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 8)) (i32.store (i32.const 264) (i32.const 15000)))
