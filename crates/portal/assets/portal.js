// The only thing a page cannot know without a script: the viewer's time zone. It is told in a cookie, and the next page
// says deadlines in program time and in the viewer's. Everything works without it.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const told = document.cookie.split("; ").find((cookie) => cookie.startsWith("tenure-zone="));
  if (zone && told !== "tenure-zone=" + zone) {
    document.cookie = "tenure-zone=" + zone + "; Path=/; Max-Age=31536000; SameSite=Lax";
  }
})();
