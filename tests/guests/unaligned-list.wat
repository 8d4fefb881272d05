(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 513)))
