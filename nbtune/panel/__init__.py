"""The form that starts searches. In the kernel; imports the views that show it and the handle that it starts."""
