//! The whole test suite in one binary, because each binary links Typst.

mod suite {
    mod batch;
}
