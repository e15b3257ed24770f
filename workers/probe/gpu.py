"""What CUDA tells of the memory of this process's GPU."""

from __future__ import annotations

import gc

import torch


class Gpu:
    """The GPU that Ray gave to this process, alone; sizes in bytes."""

    device = torch.device("cuda")

    def watch(self) -> None:
        """Forget what was before, and give back what nobody uses."""
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """Say how much PyTorch reserved at most since ``watch``.

        What is reserved is kept from other processes, whether tensors fill it or not.
        """
        return torch.cuda.max_memory_reserved(self.device)

    def beside(self) -> int:
        """Say how much is taken now that PyTorch did not reserve: context, kernels, libraries."""
        free, total = torch.cuda.mem_get_info(self.device)
        return total - free - torch.cuda.memory_reserved(self.device)

    def total(self) -> int:
        """Say how much there is."""
        return torch.cuda.mem_get_info(self.device)[1]
