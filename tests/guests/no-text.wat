;; A reason that is no UTF-8: a surrogate, an overlong slash, a lone continuation byte.
(data (i32.const 700) "\ed\a0\80 \c0\af \80")
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 700)) (i32.store (i32.const 280) (i32.const 8)))
