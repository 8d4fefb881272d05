;; An empty list of parts that begins behind the end of memory.
(func $misbehave (param i32) (i32.store (i32.const 268) (i32.const -64)))
