;; Its `cabi_realloc` grows without end.
;; It does so when room for 77 bytes is wanted: that is the prompt which triggers.
(global $top (mut i32) (i32.const 4096))
(func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (if (i32.eq (local.get $size) (i32.const 77)) (then (loop $more (drop (memory.grow (i32.const 8))) (br $more))))
  (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
  (global.set $top (i32.add (local.get $at) (local.get $size)))
  (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))) (then (drop (memory.grow (i32.const 1)))))
  (local.get $at))
