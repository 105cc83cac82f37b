//! What a failure on a GPU means.
//!
//! In: its words. Out: whether the GPU's memory was too small. Left out: how much of it there is, which the
//! driver's tool tells.

/// As the driver, cuBLAS and cuRAND put it.
const WORDS: [&str; 4] = ["OUT_OF_MEMORY", "out of memory", "_ALLOC_FAILED", "_ALLOCATION_FAILED"];

/// Whether a program on a GPU that failed with these words lacked memory there.
pub fn lacks_memory(failure: &str) -> bool {
    WORDS.iter().any(|words| failure.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dfdx_says_of_a_failed_allocation_is_understood() {
        for error in [
            "Driver(DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\"))",
            "Blas(CublasError(CUBLAS_STATUS_ALLOC_FAILED))",
            "CurandError(CURAND_STATUS_ALLOCATION_FAILED)",
        ] {
            let message = format!("called `Result::unwrap()` on an `Err` value: {error}");
            assert!(lacks_memory(&message), "{message}");
        }
        let other = "Driver(DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access\"))";
        assert!(!lacks_memory(other));
    }
}
