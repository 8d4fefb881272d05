(func $misbehave (param i32) (drop (i32.load (i32.const -4))))
