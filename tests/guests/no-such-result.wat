;; Neither `ok` nor `err`.
(func $misbehave (param i32) (i32.store8 (i32.const 256) (i32.const 7)))
