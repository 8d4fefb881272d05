;; Denies the request, in words that would paint a terminal and add a header.
(data (i32.const 700) "\1b[2Jno \0d\0ax-injected: yes")
(func $misbehave (param i32)
  (i32.store8 (i32.const 256) (i32.const 1))
  (i32.store8 (i32.const 260) (i32.const 1))
  (i32.store (i32.const 264) (i32.const 700))
  (i32.store (i32.const 268) (i32.const 24)))
