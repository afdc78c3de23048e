use std::collections::HashMap;

fn fill(count: u32) -> HashMap<u32, String> {
    (0..count).map(|i| (i, format!("{i}"))).collect()
}

fn main() {
    let count = std::env::args().count() as u32 * 100;
    let filled = fill(count);
    let length: usize = filled.values().map(|text| text.len()).sum();
    println!("{length}");
}
