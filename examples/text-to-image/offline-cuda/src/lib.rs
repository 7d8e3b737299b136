//! Only the types of `cubecl-llvm` 0.11.3 that `cubecl-cuda` names.
//!
//! The build script of the real crate downloads LLVM, from a server that is not
//! a package registry. Where that cannot be reached, `offline-cuda.sh` puts this
//! crate in its place and has CUDA's own compiler, NVRTC, translate the kernels
//! (`cubecl/cuda-cpp`), so that nothing here is ever called. It is not burn's
//! default: with internet, build with `--features cuda`.

#![forbid(unsafe_code)]

use cubecl_core::{ir::nvidia::SmArch, prelude::KernelDefinition};
use cubecl_runtime::compiler::{CompilationError, Compiler};
use cubecl_runtime::kernel::BufferIOAttr;

#[derive(Clone, Debug)]
pub struct PlironCompiler {
    pub target: LlvmTarget,
}

#[derive(Clone, Copy, Debug)]
pub enum LlvmTarget {
    Nvptx,
}

#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    pub arch: Option<()>,
    pub sm_arch: Option<SmArch>,
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    pub grid_constants: bool,
    pub f16_evaluation: (),
}

#[derive(Clone, Debug)]
pub struct NvptxModule {
    pub ptx: Vec<std::ffi::c_char>,
    pub entrypoint: String,
    pub ir: String,
    pub shared_memory_size: usize,
    pub io: Vec<BufferIOAttr>,
}

#[derive(Clone, Debug)]
pub enum PlironArtifact {
    NvptxCode(NvptxModule),
    Jit,
}

impl std::fmt::Display for PlironArtifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LLVM is not part of this build")
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(
        &mut self,
        _: KernelDefinition,
        _: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        Err(CompilationError::Generic {
            reason: PlironArtifact::Jit.to_string(),
            backtrace: Default::default(),
        })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}

pub mod nvptx {
    pub mod ptx_version {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct PtxVersion;

        impl PtxVersion {
            pub fn for_driver(_: i32) -> Option<Self> {
                None
            }
        }

        impl std::fmt::Display for PtxVersion {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("ptx")
            }
        }
    }
}

pub mod shared {
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        pub enum GpuTarget {
            Nvptx,
        }

        pub fn restrict_features(_: &mut DeviceProperties, _: GpuTarget) {}
    }
}
