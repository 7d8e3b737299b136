//! The trained weights: in the binary, and as files while training.

use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::store::{BurnpackStore, HalfPrecisionAdapter, ModuleSnapshot};
use burn::tensor::{FloatDType, Tensor};

use crate::{Backend, Error, model::UNet};

/// What `train` wrote last, in half precision.
static TRAINED: &Aligned<[u8]> = &Aligned(*include_bytes!("../weights/emoji.bpk"));

/// Tensors are read where they stand, which is at multiples of this from the start.
#[repr(C, align(256))]
struct Aligned<T: ?Sized>(T);

/// The trained network, as the backend wants it.
pub(crate) fn load(vocabulary: usize, backend: &Backend) -> Result<UNet, Error> {
    let mut model = UNet::new(vocabulary, backend.device());
    let mut store =
        BurnpackStore::from_static(&TRAINED.0).with_from_adapter(HalfPrecisionAdapter::new());
    model.load_from(&mut store).map_err(|error| Error::Weights(error.to_string()))?;
    Ok(in_precision(model, backend.precision))
}

/// The same weights as numbers of another type. What flows back through the copy reaches the
/// weights that were copied.
pub(crate) fn in_precision(model: UNet, precision: FloatDType) -> UNet {
    match precision {
        FloatDType::F32 => model,
        precision => model.map(&mut Cast(precision)),
    }
}

struct Cast(FloatDType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(self.0))
    }
}

/// Writes the weights that the next build will contain.
pub(crate) fn save(model: &UNet, path: &Path) -> Result<(), Error> {
    let store = BurnpackStore::from_file(path).overwrite(true);
    let mut store = store.with_to_adapter(HalfPrecisionAdapter::new());
    model.save_into(&mut store).map_err(|error| Error::file(path, error))
}
