"""The Allure page of a drill: built by npm's own allure, then cut off from everything outside itself."""
