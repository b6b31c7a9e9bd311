//! Rebuilds the program when a profile, loader or image is added: `include_dir` watches the files
//! it has embedded, not the folders a new file may appear in.

fn main() {
    println!("cargo:rerun-if-changed=recovery-images");
}
