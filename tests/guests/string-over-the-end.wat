(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 131070)) (i32.store (i32.const 280) (i32.const 60)))
