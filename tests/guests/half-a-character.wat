;; A reason that is cut within its last character.
(data (i32.const 700) "half a smile \f0\9f\98\80")
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 700)) (i32.store (i32.const 280) (i32.const 15)))
