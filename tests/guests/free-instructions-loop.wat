;; A loop whose body costs nothing: `nop`, `drop` and `block` are free. Its branch is not.
(func $misbehave (param i32)
  (loop $for_ever
    (block (block (block nop nop nop nop nop nop nop nop)))
    (br $for_ever)))
