;; A length that, times eight bytes, is no 32-bit number any more.
(func $misbehave (param i32) (i32.store (i32.const 264) (i32.const 0x20000001)))
