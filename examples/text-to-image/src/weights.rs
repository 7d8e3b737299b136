//! The trained weights: in the binary, and as files while training.

use std::path::Path;

use burn::store::{BurnpackStore, HalfPrecisionAdapter, ModuleSnapshot};
use burn::tensor::Device;

use crate::{Error, model::UNet};

/// What `train` wrote last, in half precision.
pub(crate) const TRAINED: &[u8] = include_bytes!("../weights/emoji.bpk");

/// The trained network.
pub(crate) fn load(vocabulary: usize, device: &Device) -> Result<UNet, Error> {
    let mut model = UNet::new(vocabulary, device);
    let mut store =
        BurnpackStore::from_static(TRAINED).with_from_adapter(HalfPrecisionAdapter::new());
    model.load_from(&mut store).map_err(|error| Error::Weights(error.to_string()))?;
    Ok(model)
}

/// Writes the weights that the next build will contain.
pub(crate) fn save(model: &UNet, path: &Path) -> Result<(), Error> {
    let store = BurnpackStore::from_file(path).overwrite(true);
    let mut store = store.with_to_adapter(HalfPrecisionAdapter::new());
    model.save_into(&mut store).map_err(|error| Error::file(path, error))
}
