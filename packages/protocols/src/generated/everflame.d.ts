// Generated from proto/everflame by scripts/gen-protocols.mjs. Not to be edited.
import * as $protobuf from "protobufjs/minimal.js";
import type { Long } from '../wire/long.ts';

/** Namespace everflame. */
export namespace everflame {

    /** Namespace v1. */
    namespace v1 {

        /**
         * Properties of a WriteRequest.
         * @deprecated Use everflame.v1.WriteRequest.$Properties instead.
         */
        interface IWriteRequest extends everflame.v1.WriteRequest.$Properties {
        }

        /** Represents a WriteRequest. */
        class WriteRequest {

            /**
             * Constructs a new WriteRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: everflame.v1.WriteRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WriteRequest batchId. */
            batchId: Uint8Array;

            /** WriteRequest agent. */
            agent?: (everflame.v1.Agent.$Properties|null);

            /** WriteRequest profiles. */
            profiles: everflame.v1.ProfileEntry.$Properties[];

            /** WriteRequest counters. */
            counters: everflame.v1.Counter.$Properties[];

            /** WriteRequest version. */
            version: number;

            /**
             * Encodes the specified WriteRequest message. Does not implicitly {@link everflame.v1.WriteRequest.verify|verify} messages.
             * @param message WriteRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: everflame.v1.WriteRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WriteRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {everflame.v1.WriteRequest & everflame.v1.WriteRequest.$Shape} WriteRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): everflame.v1.WriteRequest & everflame.v1.WriteRequest.$Shape;
        }

        namespace WriteRequest {

            /** Properties of a WriteRequest. */
            interface $Properties {

                /** WriteRequest batchId */
                batchId?: (Uint8Array|null);

                /** WriteRequest agent */
                agent?: (everflame.v1.Agent.$Properties|null);

                /** WriteRequest profiles */
                profiles?: (everflame.v1.ProfileEntry.$Properties[]|null);

                /** WriteRequest counters */
                counters?: (everflame.v1.Counter.$Properties[]|null);

                /** WriteRequest version */
                version?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WriteRequest. */
            type $Shape = everflame.v1.WriteRequest.$Properties;
        }

        /**
         * Properties of an Agent.
         * @deprecated Use everflame.v1.Agent.$Properties instead.
         */
        interface IAgent extends everflame.v1.Agent.$Properties {
        }

        /** Represents an Agent. */
        class Agent {

            /**
             * Constructs a new Agent.
             * @param [properties] Properties to set
             */
            constructor(properties?: everflame.v1.Agent.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Agent id. */
            id: string;

            /** Agent hostName. */
            hostName: string;

            /** Agent version. */
            version: string;

            /** Agent kernel. */
            kernel: string;

            /** Agent architecture. */
            architecture: string;

            /** Agent startedUnixNanos. */
            startedUnixNanos: Long;

            /**
             * Encodes the specified Agent message. Does not implicitly {@link everflame.v1.Agent.verify|verify} messages.
             * @param message Agent message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: everflame.v1.Agent.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Agent message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {everflame.v1.Agent & everflame.v1.Agent.$Shape} Agent
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): everflame.v1.Agent & everflame.v1.Agent.$Shape;
        }

        namespace Agent {

            /** Properties of an Agent. */
            interface $Properties {

                /** Agent id */
                id?: (string|null);

                /** Agent hostName */
                hostName?: (string|null);

                /** Agent version */
                version?: (string|null);

                /** Agent kernel */
                kernel?: (string|null);

                /** Agent architecture */
                architecture?: (string|null);

                /** Agent startedUnixNanos */
                startedUnixNanos?: (Long|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Agent. */
            type $Shape = everflame.v1.Agent.$Properties;
        }

        /**
         * Properties of a ProfileEntry.
         * @deprecated Use everflame.v1.ProfileEntry.$Properties instead.
         */
        interface IProfileEntry extends everflame.v1.ProfileEntry.$Properties {
        }

        /** Represents a ProfileEntry. */
        class ProfileEntry {

            /**
             * Constructs a new ProfileEntry.
             * @param [properties] Properties to set
             */
            constructor(properties?: everflame.v1.ProfileEntry.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProfileEntry labels. */
            labels: everflame.v1.Label.$Properties[];

            /** ProfileEntry pprof. */
            pprof: Uint8Array;

            /**
             * Encodes the specified ProfileEntry message. Does not implicitly {@link everflame.v1.ProfileEntry.verify|verify} messages.
             * @param message ProfileEntry message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: everflame.v1.ProfileEntry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProfileEntry message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {everflame.v1.ProfileEntry & everflame.v1.ProfileEntry.$Shape} ProfileEntry
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): everflame.v1.ProfileEntry & everflame.v1.ProfileEntry.$Shape;
        }

        namespace ProfileEntry {

            /** Properties of a ProfileEntry. */
            interface $Properties {

                /** ProfileEntry labels */
                labels?: (everflame.v1.Label.$Properties[]|null);

                /** ProfileEntry pprof */
                pprof?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProfileEntry. */
            type $Shape = everflame.v1.ProfileEntry.$Properties;
        }

        /**
         * Properties of a Label.
         * @deprecated Use everflame.v1.Label.$Properties instead.
         */
        interface ILabel extends everflame.v1.Label.$Properties {
        }

        /** Represents a Label. */
        class Label {

            /**
             * Constructs a new Label.
             * @param [properties] Properties to set
             */
            constructor(properties?: everflame.v1.Label.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Label name. */
            name: string;

            /** Label value. */
            value: string;

            /**
             * Encodes the specified Label message. Does not implicitly {@link everflame.v1.Label.verify|verify} messages.
             * @param message Label message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: everflame.v1.Label.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Label message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {everflame.v1.Label & everflame.v1.Label.$Shape} Label
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): everflame.v1.Label & everflame.v1.Label.$Shape;
        }

        namespace Label {

            /** Properties of a Label. */
            interface $Properties {

                /** Label name */
                name?: (string|null);

                /** Label value */
                value?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Label. */
            type $Shape = everflame.v1.Label.$Properties;
        }

        /**
         * Properties of a Counter.
         * @deprecated Use everflame.v1.Counter.$Properties instead.
         */
        interface ICounter extends everflame.v1.Counter.$Properties {
        }

        /** Represents a Counter. */
        class Counter {

            /**
             * Constructs a new Counter.
             * @param [properties] Properties to set
             */
            constructor(properties?: everflame.v1.Counter.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Counter name. */
            name: string;

            /** Counter cause. */
            cause: string;

            /** Counter total. */
            total: Long;

            /**
             * Encodes the specified Counter message. Does not implicitly {@link everflame.v1.Counter.verify|verify} messages.
             * @param message Counter message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: everflame.v1.Counter.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Counter message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {everflame.v1.Counter & everflame.v1.Counter.$Shape} Counter
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): everflame.v1.Counter & everflame.v1.Counter.$Shape;
        }

        namespace Counter {

            /** Properties of a Counter. */
            interface $Properties {

                /** Counter name */
                name?: (string|null);

                /** Counter cause */
                cause?: (string|null);

                /** Counter total */
                total?: (Long|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Counter. */
            type $Shape = everflame.v1.Counter.$Properties;
        }
    }
}
