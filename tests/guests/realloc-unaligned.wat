;; Its `cabi_realloc` returns an odd address for the arguments, which want alignment 8. It remembers that the prompt was the
;; one that triggers: the arguments are lowered before it, so what is unaligned is a list that comes after.
(global $top (mut i32) (i32.const 4096))
(global $odd (mut i32) (i32.const 0))
(func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (if (i32.eq (local.get $size) (i32.const 77)) (then (global.set $odd (i32.const 1))))
  (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
  (local.set $at (i32.or (local.get $at) (global.get $odd)))
  (global.set $top (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))) (then (drop (memory.grow (i32.const 1)))))
  (local.get $at))
