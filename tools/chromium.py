"""Chromium, the browser that tests open the service's pages in."""

from tools.debian_package import DebianPackage

CHROMIUM = DebianPackage(
    name="chromium",
    packages=("chromium",),
    programs=(("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),),
    remark=" (or chromium-browser, or Google Chrome)",
)
