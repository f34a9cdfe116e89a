;; What `wasm` runs: a round sorts numbers, multiplies matrices, finds tokens in a text by a state machine, and makes a
;; CRC-32 of the results. Integers only. All of a round's input is made in the round, from its seed.
;;
;; Memory, in bytes: 0 the numbers to sort (512), 2048 and 3072 two matrices (16 x 16), 4096 their product, 5120 the text
;; (1024 words, of which a character is the low 7 bits), to 9216.
(module
  (memory 1)
  (type $state (func (param $char i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 0) $blank $number $fraction $word)

  ;; The result: the number of tokens above the CRC.
  (func (export "round") (param $seed i64) (result i64)
    (call $fill (local.get $seed))
    (call $sort)
    (call $multiply)
    (i64.or
      (i64.shl (i64.extend_i32_u (call $tokens)) (i64.const 32))
      (i64.extend_i32_u (call $crc))))

  ;; Xorshift with 64 bits of state (Marsaglia, 2003: 13, 7, 17), of which the low half is kept. The seed is not 0.
  (func $fill (param $x i64) (local $at i32)
    (loop $more
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
      (i64.store32 (local.get $at) (local.get $x))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 9216)))))

  ;; Heap sort. Places are byte addresses, so the children of `at` are at 2 at + 4 and 2 at + 8.
  (func $sort (local $at i32) (local $last i32)
    (local.set $at (i32.const 1024))
    (loop $heap
      (local.set $at (i32.sub (local.get $at) (i32.const 4)))
      (call $sift (local.get $at) (i32.const 2048))
      (br_if $heap (local.get $at)))
    (local.set $at (i32.const 2044))
    (loop $take
      (local.set $last (i32.load (local.get $at)))
      (i32.store (local.get $at) (i32.load (i32.const 0)))
      (i32.store (i32.const 0) (local.get $last))
      (call $sift (i32.const 0) (local.get $at))
      (local.set $at (i32.sub (local.get $at) (i32.const 4)))
      (br_if $take (local.get $at))))

  ;; Moves the number at `at` down the heap that ends at `end`.
  (func $sift (param $at i32) (param $end i32) (local $child i32) (local $moved i32)
    (local.set $moved (i32.load (local.get $at)))
    (block $placed
      (loop $down
        (local.set $child (i32.add (i32.shl (local.get $at) (i32.const 1)) (i32.const 4)))
        (br_if $placed (i32.ge_u (local.get $child) (local.get $end)))
        (if (i32.lt_u (i32.add (local.get $child) (i32.const 4)) (local.get $end))
          (then
            (if (i32.lt_u (i32.load (local.get $child)) (i32.load offset=4 (local.get $child)))
              (then (local.set $child (i32.add (local.get $child) (i32.const 4)))))))
        (br_if $placed (i32.ge_u (local.get $moved) (i32.load (local.get $child))))
        (i32.store (local.get $at) (i32.load (local.get $child)))
        (local.set $at (local.get $child))
        (br $down)))
    (i32.store (local.get $at) (local.get $moved)))

  ;; The product of the two matrices, modulo 2^32.
  (func $multiply (local $row i32) (local $column i32) (local $k i32) (local $sum i32)
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $sum (i32.const 0))
        (local.set $k (i32.const 0))
        (loop $terms
          (local.set $sum
            (i32.add (local.get $sum)
              (i32.mul
                (i32.load offset=2048 (i32.add (local.get $row) (local.get $k)))
                (i32.load offset=3072
                  (i32.add (local.get $column) (i32.shl (local.get $k) (i32.const 4)))))))
          (local.set $k (i32.add (local.get $k) (i32.const 4)))
          (br_if $terms (i32.lt_u (local.get $k) (i32.const 64))))
        (i32.store offset=4096 (i32.add (local.get $row) (local.get $column)) (local.get $sum))
        (local.set $column (i32.add (local.get $column) (i32.const 4)))
        (br_if $columns (i32.lt_u (local.get $column) (i32.const 64))))
      (local.set $row (i32.add (local.get $row) (i32.const 64)))
      (br_if $rows (i32.lt_u (local.get $row) (i32.const 1024)))))

  ;; How many numbers, fractions and words begin in the text. The state is the number of a function in the table.
  (func $tokens (result i32) (local $at i32) (local $state i32) (local $next i32) (local $count i32)
    (loop $more
      (local.set $next
        (call_indirect (type $state)
          (i32.and (i32.load offset=5120 (local.get $at)) (i32.const 127))
          (local.get $state)))
      (local.set $count
        (i32.add (local.get $count)
          (i32.and
            (i32.ne (local.get $next) (local.get $state))
            (i32.ne (local.get $next) (i32.const 0)))))
      (local.set $state (local.get $next))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 4096))))
    (local.get $count))

  (func $digit (param $char i32) (result i32)
    (i32.lt_u (i32.sub (local.get $char) (i32.const 48)) (i32.const 10)))

  ;; Whatever is above the digits and signs: 64 and more.
  (func $letter (param $char i32) (result i32)
    (i32.shr_u (local.get $char) (i32.const 6)))

  (func $blank (param $char i32) (result i32)
    (if (call $digit (local.get $char)) (then (return (i32.const 1))))
    (if (call $letter (local.get $char)) (then (return (i32.const 3))))
    (i32.const 0))

  ;; A point makes a fraction of a number.
  (func $number (param $char i32) (result i32)
    (if (i32.eq (local.get $char) (i32.const 46)) (then (return (i32.const 2))))
    (call $blank (local.get $char)))

  (func $fraction (param $char i32) (result i32)
    (if (call $digit (local.get $char)) (then (return (i32.const 2))))
    (call $blank (local.get $char)))

  ;; A digit goes on with a word.
  (func $word (param $char i32) (result i32)
    (if (call $digit (local.get $char)) (then (return (i32.const 3))))
    (call $blank (local.get $char)))

  ;; The CRC-32 of ISO 3309 over the sorted numbers and the product, a bit at a time.
  (func $crc (result i32) (local $crc i32)
    (local.set $crc (i32.const -1))
    (local.set $crc (call $crc_of (local.get $crc) (i32.const 0) (i32.const 2048)))
    (local.set $crc (call $crc_of (local.get $crc) (i32.const 4096) (i32.const 5120)))
    (i32.xor (local.get $crc) (i32.const -1)))

  (func $crc_of (param $crc i32) (param $at i32) (param $end i32) (result i32) (local $bit i32)
    (loop $words
      (local.set $crc (i32.xor (local.get $crc) (i32.load (local.get $at))))
      (local.set $bit (i32.const 32))
      (loop $bits
        (local.set $crc
          (i32.xor
            (i32.shr_u (local.get $crc) (i32.const 1))
            (i32.and
              (i32.const 0xedb88320)
              (i32.sub (i32.const 0) (i32.and (local.get $crc) (i32.const 1))))))
        (local.set $bit (i32.sub (local.get $bit) (i32.const 1)))
        (br_if $bits (local.get $bit)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $words (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $crc)))
