;; A list of a billion places: more than its memory holds.
(func $misbehave (param i32) (i32.store (i32.const 264) (i32.const 1000000000)))
