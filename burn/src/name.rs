//! What a device is called.

use burn_tensor::Device;

/// `cuda:0`, and the product's name where it is known: `cuda:0 (NVIDIA H200)`.
pub(crate) fn of(device: &Device) -> String {
    let device = device.clone().without_autodiff();
    let name = short(&format!("{device:?}"));
    match product(&device) {
        Some(product) => format!("{name} ({product})"),
        None => name,
    }
}

#[cfg(feature = "cubecl")]
fn product(device: &Device) -> Option<String> {
    device.identity().map(|identity| identity.name)
}

#[cfg(not(feature = "cubecl"))]
fn product(_: &Device) -> Option<String> {
    None
}

/// Which backends there are is known where burn is built, and not here; but all call their devices by
/// a kind and a number in their `Debug`, inside of what they are a case of.
fn short(text: &str) -> String {
    let text = text.strip_prefix("Device<").and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    // Its kind says more than its type.
    let wgpu = text.split_once("WgpuDevice { kind: ").and_then(|(_, rest)| rest.split_once(','));
    let mut name = wgpu.map_or(text, |(kind, _)| kind);
    while let Some((kind, rest)) = name.split_once('(')
        && let Some(inner) = rest.strip_suffix(')')
    {
        if inner.parse::<usize>().is_ok() {
            return format!("{}:{inner}", kind.to_lowercase());
        }
        name = inner;
    }
    if name.chars().all(char::is_alphanumeric) { name.to_lowercase() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_short() {
        assert_eq!(short("Device<Cube(Cuda(Cuda(0)))>"), "cuda:0");
        assert_eq!(short("Device<Flex(Cpu)>"), "cpu");
        let wgpu = "Device<Cube(Wgpu(WgpuDevice { kind: DiscreteGpu(1), backend: Auto }))>";
        assert_eq!(short(wgpu), "discretegpu:1");
        assert_eq!(short("Device<LibTorch(Cuda(2))>"), "cuda:2");
        assert_eq!(short("Device<LibTorch(Mps)>"), "mps");
        assert_eq!(short("Device<Remote(a: 1, b)>"), "a: 1, b");
    }
}
