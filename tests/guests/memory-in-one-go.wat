;; 4 GiB at once. The price alone is more than a call has.
(func $misbehave (param i32) (drop (memory.grow (i32.const 65535))))
