//! Prints the oracle of NAME, by another method than the program's: from small numbers to large ones, each by what is known
//! of the first smaller number on its way.

const FIRST: usize = 2;
const END: usize = 20_002;

fn main() {
    println!("ASSAY-ORACLE1");
    println!("answer steps");
    println!("work steps");
    println!("parameter first-number {FIRST}");
    println!("parameter end-number {END}");
    // The steps and the largest number on the way, of 0 (none) and of 1.
    let mut known = vec![(0, 0), (0, 1)];
    for number in 2..END {
        let (mut at, mut steps, mut largest) = (number, 0, number);
        while at >= number {
            at = if at % 2 == 0 { at / 2 } else { 3 * at + 1 };
            largest = largest.max(at);
            steps += 1;
        }
        let (further, of_rest) = known[at];
        known.push((steps + further, largest.max(of_rest)));
    }
    for (steps, largest) in &known[FIRST..] {
        println!("item {steps} {steps} {largest:016x}");
    }
}
