document.getElementById("app").textContent = "Stepwell";
