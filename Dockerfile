# The program and the system's ssh, which it uses for what the built-in client cannot do. docs/container.md has how to run it.
#   docker build --tag allsmi-ssh .

FROM node:24-alpine AS build
# ssh2's native addons are compiled against the headers of this image; without them the program works, for more CPU.
RUN apk add --no-cache build-base python3
ENV npm_config_nodedir=/usr/local
WORKDIR /app
COPY package.json package-lock.json ./
# The script that builds the project would run before its sources are here.
RUN npm ci --ignore-scripts && npm rebuild ssh2 cpu-features
COPY build.config.js tsconfig.json ./
COPY build build
COPY docs/type-text.ts docs/
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-alpine
LABEL org.opencontainers.image.title="allsmi-ssh" \
      org.opencontainers.image.description="Stream GPU, CPU and memory readings from a fleet over SSH, with nothing installed on the hosts" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apk add --no-cache openssh-client && ln -s /app/dist/start.cjs /usr/local/bin/allsmi-ssh
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ENV NODE_ENV=production
# 1000 in /etc/passwd; Kubernetes compares numbers. Nothing in the image belongs to it.
USER 1000:1000
WORKDIR /home/node
ENTRYPOINT ["allsmi-ssh"]
